/**
 * Compiles what runs in a run into a folder of its own, with faults that are wanted there: text of `lib` that is exchanged. The package
 * itself has no switch for any of them.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'

/** A text of a file that is exchanged. */
export interface Change {
  /** Below the project's folder. */
  readonly file: string
  readonly from: string
  readonly to: string
}

const root = fileURLToPath(new URL('../..', import.meta.url))

const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }

/** The module that runs histories, and whatever it imports. @throws Error where a text is not there, or more than once. */
export async function loadCompiled(changes: readonly Change[] = []): Promise<typeof import('./run-seed.js')> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-simulation-'))
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    const entry = 'test/simulation/run-seed.ts'
    const compiled = new Set<string>()
    compile(entry, folder, changes, compiled)
    for (const { file } of changes) if (!compiled.has(file)) throw new Error(`${file} is not part of a run`)
    return await import(pathToFileURL(join(folder, entry.replace(/\.ts$/, '.js'))).href)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function compile(file: string, folder: string, changes: readonly Change[], compiled: Set<string>): void {
  if (compiled.has(file)) return
  compiled.add(file)
  let text = readFileSync(join(root, file), 'utf8')
  for (const { from, to } of changes.filter((change) => change.file === file)) {
    if (text.split(from).length !== 2) throw new Error(`${file} has not exactly one ${JSON.stringify(from)}`)
    text = text.replace(from, () => to)
  }
  const { outputText } = ts.transpileModule(text, { compilerOptions, fileName: file })
  const target = join(folder, file.replace(/\.ts$/, '.js'))
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, outputText)
  for (const [, path] of outputText.matchAll(/^(?:import|export)\b[^;]*?\bfrom '(\.[^']*)\.js'/gm)) {
    compile(relative(root, join(root, dirname(file), `${path}.ts`)), folder, changes, compiled)
  }
}
