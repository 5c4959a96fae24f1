/**
 * What `sallyport init` writes.
 *
 * @module
 */

import type { App, InitAnswers } from './init.js'

/** A commented `deployment.toml`. */
export function deploymentFile({ admin, portal }: InitAnswers, hash: string): string {
  const name = JSON.stringify(admin)
  return `# The keys are those of docs/configuration.md of the package; a changed file is checked as a whole at the next start.

[management_api]
# The addresses that may call the API. Without the table, all may.
# control_access = { enable = true, allow = ["127.0.0.1", "10.0.0.0/8"] }

[management_api.jwt_token_security_handler.token_config]
# Signs the tokens. Keep it secret: it is in .gitignore. A new one: npx sallyport keys rotate
key_file = "token-key.pem"
algorithm = "ES256"
expiry = 3600 # seconds

# What only administrators may call, below the mount. Everything else needs a login.
# [[management_api.authorization_handler.resources]]
# path = "/users"

[[internal_apis.users]]
user.name = ${name}
user.password = "${hash}" # npx sallyport hash-password
user.is_admin = true
${
  portal === undefined
    ? ''
    : `
[portal.pages]
title = "Pages"
session_timeout = "30m" # without use; at most absolute_timeout of [portal]
`
}`
}

const portalLine = ({ portal }: InitAnswers): string =>
  portal === undefined ? '' : `app.use('${portal}', security.portal('pages'))\n`

/** A path of the API. */
export function below({ mount }: InitAnswers, path: string): string {
  return mount === '/' ? path : mount + path
}

/** An app that is mounted as a whole has routes of its own. */
const mountLine = ({ mount }: InitAnswers): string =>
  mount === '/'
    ? 'app.use(security.managementApi({ resources: false }))'
    : `app.use('${mount}', security.managementApi())`

/** A server with one route. */
export function serverFile(answers: InitAnswers): string {
  const { portal } = answers
  const hello = below(answers, '/hello')
  return `import express from 'express'
import { ConfigError, createSecurity, getAuth } from 'sallyport'

const security = await createSecurity(new URL('deployment.toml', import.meta.url)).catch((error) => {
  // Says each mistake in the file in a line.
  console.error(error instanceof ConfigError ? error.message : error)
  process.exit(1)
})

const app = express()
${
  portal === undefined
    ? ''
    : `${portalLine(answers)}app.get('${portal}', (request, response) => {
  response.send(\`<h1>Hello</h1><form method="post" action="${portal}/logout"><button>Sign out</button></form>\`)
})

`
}${mountLine(answers)}
app.get('${hello}', (request, response) => {
  response.json({ caller: getAuth(request).subject })
})

const server = security.createServer(app, { protocol: 'http' }).listen(9201, '127.0.0.1', () => {
  console.log('http://127.0.0.1:9201${portal ?? hello}')
})

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => security.shutdown(server))
}
`
}

/** What a server that is there needs. */
export function serverLines(answers: InitAnswers, { isModule, listensOn }: App): string {
  const { mount, portal } = answers
  const mounts = `// routes that everybody may call
${portal === undefined ? '' : `${portalLine(answers)}// the pages, below ${portal}\n`}${mountLine(answers)}
// routes that need a login${mount === '/' ? '' : `, below ${mount}: others stay open`}
security.createServer(app).listen(${listensOn})    // in place of app.listen`
  const lines = isModule
    ? `import { createSecurity } from 'sallyport'

const security = await createSecurity(new URL('deployment.toml', import.meta.url))

${mounts}`
    : `const { createSecurity } = require('sallyport')

async function main() {
  const security = await createSecurity(require('node:path').join(__dirname, 'deployment.toml'))

${mounts.replace(/^/gm, '  ')}
}
main()`
  return lines.replace(/^(?=.)/gm, '  ')
}
