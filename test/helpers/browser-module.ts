/** Serves the module for browsers from its source, so that no test depends on a build. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { RequestHandler } from 'express'
import ts from 'typescript'

/** Folder of the sources. */
export const browserFolder: string = fileURLToPath(new URL('../../lib/browser/', import.meta.url))

const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
}

/** What the build makes of each source, by file name. */
export function builtBrowserModule(): ReadonlyMap<string, string> {
  return new Map(
    readdirSync(browserFolder).map((name) => {
      const source = readFileSync(browserFolder + name, 'utf8')
      return [name.replace(/\.ts$/, '.js'), ts.transpileModule(source, { compilerOptions }).outputText]
    }),
  )
}

/** What `express.static` does with the folder of the build. */
export function serveBrowserModule(): RequestHandler {
  const files = builtBrowserModule()
  return (request, response, next) => {
    const text = files.get(request.path.slice(1))
    if (text === undefined) next()
    else response.type('text/javascript').send(text)
  }
}
