// The app of before.js with one gate of Sallyport. It needs no file.

import express from 'express'
import { errorResponses, ipAllowList } from 'sallyport/middleware'

const app = express()
app.set('trust proxy', 'loopback')
app.use(ipAllowList({ networks: ['10.0.0.0/8', '192.0.2.7'] }))
app.get('/', (_request, response) => response.json({ hello: 'world' }))
app.use(errorResponses())

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})
