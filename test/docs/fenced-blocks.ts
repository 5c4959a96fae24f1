/**
 * Blocks of code in Markdown. An HTML comment in the line before a fence, which no reader sees, says what a block needs:
 *
 * - `<!-- not run: reason -->`: it is not run, and why
 * - `<!-- file: name -->`: it is written to this file
 * - `<!-- files: a.pem, b.pem -->`: these have to be there
 * - `<!-- with: users, redis -->`: these tables are added to the file, or, at a program, to `deployment.toml`
 */

import { readText } from './pages.js'

export interface FencedBlock {
  /** Page and line of the fence. */
  readonly place: string
  readonly page: string
  /** First word after the fence. */
  readonly language: string
  /** A second word, by which a test of its own finds the block and runs it. */
  readonly mark: string
  readonly text: string
  /** Values of the comments, by their name. */
  readonly notes: ReadonlyMap<string, string>
}

const noteNames = ['not run', 'file', 'files', 'with']

export function readBlocks(page: string): readonly FencedBlock[] {
  return blocksIn(readText(page), page)
}

/** Tables that a part of a file needs, by the names that its note `with` lists. */
const tables: Readonly<Record<string, string>> = {
  users: '[[internal_apis.users]]\nuser.name = "admin"\nuser.password = "made-up-password"\nuser.is_admin = true',
  'token key': '[management_api.jwt_token_security_handler]\ntoken_config.key_file = "token-key.pem"',
  portal: '[portal.desk]',
  'operator console': '[operator_console]\nenable = true',
  redis: '[shared_store]\ntype = "redis"\nurl = "redis://127.0.0.1:6379"',
  'user store': '[user_store]\ntype = "database"\n[[datasource]]\nid = "WSO2CarbonDB"\nurl = "jdbc:sqlite:./users.db"',
  'token key stores':
    '[custom_keystore.Tokens2026]\nfile_name = "2026.p12"\npassword = "made-up"\n[custom_keystore.Tokens2027]\nfile_name = "2027.p12"\npassword = "made-up"',
}

/** A text, and after it the tables that a block needs. */
export function withTables(text: string, { notes }: Pick<FencedBlock, 'notes'>): string {
  const names = notes.get('with')?.split(', ') ?? []
  return [text, ...names.map((name) => tables[name] ?? `there is no ${name}`)].join('\n')
}

/** @throws Error for a fence that does not end. */
export function blocksIn(markdown: string, page: string): readonly FencedBlock[] {
  const lines = markdown.split('\n')
  const blocks: FencedBlock[] = []
  for (let index = 0; index < lines.length; index += 1) {
    const fence = /^( *)```(\w*) ?(\w*)/.exec(lines[index]!)
    if (fence === null) continue
    const end = lines.findIndex((line, other) => other > index && /^ *```$/.test(line))
    if (end === -1) throw new Error(`${page}:${index + 1}: the block has no end`)
    const [, indent = '', language = '', mark = ''] = fence
    const text = lines.slice(index + 1, end).map((line) => line.slice(indent.length))
    const place = `${page}:${index + 1}`
    blocks.push({ place, page, language, mark, text: text.join('\n'), notes: readNotes(lines.slice(0, index)) })
    index = end
  }
  return blocks
}

/** The comments that stand directly before a fence. */
function readNotes(before: readonly string[]): ReadonlyMap<string, string> {
  const notes = new Map<string, string>()
  for (const line of before.toReversed()) {
    const [, name = '', value = ''] = /^ *<!-- ([a-z ]+): (.*) -->$/.exec(line) ?? []
    if (!noteNames.includes(name)) break
    notes.set(name, value)
  }
  return notes
}
