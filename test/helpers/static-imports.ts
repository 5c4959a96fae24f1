/** Reads the static imports of modules, to test what may import what. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'

/** One `import` or `export ... from` declaration. */
export interface StaticImport {
  readonly specifier: string
  /** `import type` and `export type`: nothing is left of it at run time, unlike `import { type A }`. */
  readonly isTypeOnly: boolean
}

/** The static imports of a module, in the order of its text. */
export function staticImportsOf(file: string): readonly StaticImport[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
  return source.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return []
    const { moduleSpecifier } = statement
    if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return []
    const isTypeOnly = ts.isExportDeclaration(statement)
      ? statement.isTypeOnly
      : statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
    return [{ specifier: moduleSpecifier.text, isTypeOnly }]
  })
}

/** The file that a relative specifier names: a source when there is one, else a built module. */
export function resolveRelative(importer: string, specifier: string): string {
  const file = resolve(dirname(importer), specifier)
  const source = file.replace(/\.js$/, '.ts')
  return existsSync(source) ? source : file
}

/** The modules that an entry loads at once, itself among them. */
export function modulesReachedFrom(entry: string): readonly string[] {
  const files = new Set([entry])
  // A set's iterator visits what is added on the way.
  for (const file of files) {
    for (const { specifier, isTypeOnly } of staticImportsOf(file)) {
      if (!isTypeOnly && specifier.startsWith('.')) files.add(resolveRelative(file, specifier))
    }
  }
  return [...files]
}

/** What the modules reached from an entry import at run time: packages by name, built-in modules as `node:fs`. */
export function packagesReachedFrom(entry: string): readonly string[] {
  const imports = modulesReachedFrom(entry).flatMap(staticImportsOf)
  const packages = imports.filter(({ specifier, isTypeOnly }) => !isTypeOnly && !specifier.startsWith('.'))
  return [...new Set(packages.map(({ specifier }) => packageOf(specifier)))].sort()
}

function packageOf(specifier: string): string {
  const segments = specifier.split('/')
  return specifier.startsWith('@') ? segments.slice(0, 2).join('/') : segments[0]!
}

/**
 * Paths of the files below a folder whose names end in one of the extensions, with `/` between the segments. What is
 * installed in a `node_modules` is not ours.
 */
export function filesBelow(folder: string, ...extensions: readonly string[]): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extensions.some((extension) => entry.name.endsWith(extension)))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((path) => !path.split('/').includes('node_modules'))
    .sort()
}
