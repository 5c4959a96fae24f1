/**
 * Counts the files of `lib`, their lines of code and their lines of comment: `npm run count`, or `npm run count -- lib/tokens`.
 *
 * A line of code is one that is neither blank, nor part of a comment alone, nor part of an import.
 *
 * @module
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

const folders = process.argv.length > 2 ? process.argv.slice(2) : ['lib']
const total = { files: 0, code: 0, comments: 0 }
for (const folder of folders) {
  for (const [name, counts] of countsByFolder(folder)) {
    console.log(`${name.padEnd(28)} ${format(counts)}`)
    for (const key of Object.keys(total)) total[key] += counts[key]
  }
}
console.log(`${'all'.padEnd(28)} ${format(total)}`)

function format({ files, code, comments }) {
  return `${String(files).padStart(4)} files ${String(code).padStart(6)} code ${String(comments).padStart(6)} comments`
}

/** The counts of the folders right below, and of the files that stand in the folder itself. */
function countsByFolder(root) {
  const groups = new Map()
  for (const path of readdirSync(root, { recursive: true })) {
    if (!path.endsWith('.ts')) continue
    const name = path.includes('/') ? join(root, path.split('/')[0]) : root
    const group = groups.get(name) ?? { files: 0, code: 0, comments: 0 }
    const { code, comments } = linesOf(readFileSync(join(root, path), 'utf8'))
    groups.set(name, { files: group.files + 1, code: group.code + code, comments: group.comments + comments })
  }
  return [...groups].sort()
}

/** A token counts for each line that it touches; what holds no token but text is comment. */
function linesOf(text) {
  const source = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true)
  const code = new Set()
  const lineAt = (position) => source.getLineAndCharacterOfPosition(position).line
  const mark = (from, to) => {
    for (let line = lineAt(from); line <= lineAt(to); line++) code.add(line)
  }
  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isJSDoc(node)) return
    if (node.getChildCount() === 0 && node.getWidth() > 0) mark(node.getStart(), node.getEnd() - 1)
    node.getChildren().forEach(visit)
  }
  visit(source)
  const imports = new Set()
  for (const node of source.statements.filter(ts.isImportDeclaration)) {
    for (let line = lineAt(node.getStart()); line <= lineAt(node.getEnd() - 1); line++) imports.add(line)
  }
  const others = text.split('\n').filter((line, index) => line.trim() !== '' && !code.has(index) && !imports.has(index))
  return { code: code.size, comments: others.length }
}
