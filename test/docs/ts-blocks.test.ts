import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { blocksIn, type FencedBlock, readBlocks } from './fenced-blocks.js'
import { markdownFiles, root } from './pages.js'

/** Files of an app that blocks import. */
const appFiles: Readonly<Record<string, string>> = {
  'routers.ts':
    "import express from 'express'\nexport const [catalogue, orders, reports] = [express.Router(), express.Router(), express.Router()]",
  'app.ts':
    "import type { Express } from 'express'\nimport type { Security } from 'sallyport'\nexport declare function createApp(security: Security): Express",
}

/** The mistakes of the blocks, each with its place; they are checked as files of one program. */
function mistakesOf(blocks: readonly FencedBlock[]): readonly string[] {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      noUnusedLocals: false,
      noUnusedParameters: false,
      useUnknownInCatchVariables: false,
      noImplicitReturns: false,
      exactOptionalPropertyTypes: false,
      declaration: false,
    },
    root,
  )
  const folder = `${root}test/docs/blocks/`
  const texts = new Map(Object.entries(appFiles).map(([name, text]) => [folder + name, text]))
  const byFile = new Map(blocks.map((block, index) => [`${folder}block-${index}.ts`, block]))
  for (const [file, { text }] of byFile) texts.set(file, `${text}\nexport {}\n`)

  const host = ts.createCompilerHost(options)
  const { fileExists, readFile } = host
  host.fileExists = (file) => texts.has(file) || fileExists(file)
  host.directoryExists = (path) => folder.startsWith(`${path}/`) || ts.sys.directoryExists(path)
  host.readFile = (file) => texts.get(file) ?? readFile(file)
  const program = ts.createProgram([`${root}test/docs/given.ts`, ...byFile.keys()], options, host)
  return [...byFile].flatMap(([file, { page, place }]) => {
    const source = program.getSourceFile(file)!
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return found.map(({ start = 0, messageText }) => {
      const line = Number(place.split(':')[1]) + 1 + source.getLineAndCharacterOfPosition(start).line
      return `${page}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
  })
}

const broken = blocksIn(
  "\n```ts\nsecurity.close()\nsecurity.clos()\nimport { x } from 'sallyport/nothing'\n```\n",
  'broken.md',
)
const blocks = markdownFiles
  .flatMap(readBlocks)
  .filter(({ language, notes }) => language === 'ts' && !notes.has('not run'))

describe('blocks of TypeScript', () => {
  // One program for all: most of its time goes into the types of the package.
  const mistakes = mistakesOf([...blocks, ...broken])
  const isBroken = (mistake: string) => mistake.startsWith('broken.md')

  it('have the types of the package', () => {
    expect(blocks.length).toBeGreaterThan(20)
    expect(mistakes.filter((mistake) => !isBroken(mistake))).toEqual([])
  })

  it('with a mistake are found, with page and line', () => {
    expect(mistakes.filter(isBroken)).toEqual([
      expect.stringMatching(/^broken\.md:4 Property 'clos' does not exist/),
      expect.stringMatching(/^broken\.md:5 Cannot find module 'sallyport\/nothing'/),
    ])
  })
})
