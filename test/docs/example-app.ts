/** The app that commands of the documentation meet where their page has none of its own. */

import express from 'express'
import { createSecurity, getAuth } from 'sallyport'

const security = await createSecurity('deployment.toml')
const routes = express.Router()
routes.get('/whoami', (request, response) => void response.json({ caller: getAuth(request).subject }))

const app = express()
app.use('/management', security.managementApi(), routes)
app.use('/desk', security.portal('desk'), routes)
security.createServer(app).listen(9201, '127.0.0.1')
