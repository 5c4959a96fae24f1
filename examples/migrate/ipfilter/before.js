// An app with express-ipfilter behind a proxy on the same machine. after.js is the same app with Sallyport.
// PORT is the port; docs/migrate-ipfilter.md compares the two.

import express from 'express'
import ipfilter from 'express-ipfilter'

const { IpDeniedError, IpFilter } = ipfilter

const app = express()
app.set('trust proxy', 'loopback')
app.use(IpFilter(['10.0.0.0/8', '192.0.2.7'], { mode: 'allow', detectIp: (request) => request.ip, log: false }))
app.get('/', (_request, response) => response.json({ hello: 'world' }))
app.use((error, _request, response, next) => (error instanceof IpDeniedError ? response.sendStatus(403) : next(error)))

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})
