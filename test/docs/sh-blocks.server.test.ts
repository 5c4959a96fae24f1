import { describe, expect, it } from 'vitest'
import { blocksIn, type FencedBlock, readBlocks } from './fenced-blocks.js'
import { isProgram, isServer, openPageFolder } from './page-folder.js'
import { markdownFiles } from './pages.js'

const isRun = ({ notes }: FencedBlock) => !notes.has('not run')
const isCommands = ({ language, mark }: FencedBlock) => language === 'sh' && mark === ''
const needsServer = ({ text }: FencedBlock) => /(?:127\.0\.0\.1|localhost):9|sallyport audit/.test(text)

const pages = markdownFiles.map((page) => ({ page, blocks: readBlocks(page).filter(isRun) }))

/** Runs the commands of a page in their order, against its server. `sallyport init` begins a new app. */
async function runPage(blocks: readonly FencedBlock[]): Promise<void> {
  let folder = await openPageFolder(blocks)
  let isStarted = false
  for (const block of blocks.filter(isCommands)) {
    if (block.text.includes('sallyport init')) {
      folder = await openPageFolder(blocks, true)
      isStarted = false
    }
    if (needsServer(block) && !isStarted) {
      await folder.start()
      isStarted = true
    }
    await folder.run(block)
  }
}

describe('the commands', () => {
  it.each(pages.filter(({ blocks }) => blocks.some(isCommands)))('of $page run, and print what it says', ({ blocks }) =>
    runPage(blocks),
  )

  it.each([
    ['another status', 'curl -i http://127.0.0.1:9201/management/whoami    # 200', '# 200|401'],
    ['another output', 'echo \'{"a":2}\'    # {"a":1}', '"a":1'],
    ['a command that fails', 'false\ntrue', 'Command failed'],
    ['a package that is not there', 'npm install no-such-package@1', 'there is no no-such-package'],
  ])('fail with %s', async (_name, text, message) => {
    await expect(runPage(blocksIn(`\`\`\`sh\n${text}\n\`\`\`\n`, 'broken.md'))).rejects.toThrow(new RegExp(message))
  })
})

it.each(pages.flatMap(({ blocks }) => blocks.filter(isServer)))('the server at $place starts', async (block) => {
  const folder = await openPageFolder([block, ...readBlocks(block.page).filter(({ notes }) => notes.has('file'))])
  await folder.start()
})

it.each(pages.flatMap(({ blocks }) => blocks.filter(isProgram)))(
  'the program at $place prints what it says',
  async (block) => {
    const folder = await openPageFolder([])
    await folder.start()
    await folder.runProgram(block)
    const other = { ...block, text: block.text.replace(/(console\.log\(.*\) +\/\/ ).*/, '$1another value') }
    await expect(folder.runProgram(other)).rejects.toThrow('another value')
  },
)

it('few blocks are not run, each for a reason', () => {
  const reasons = markdownFiles
    .flatMap(readBlocks)
    .filter(({ language, notes }) => ['sh', 'ts', 'toml'].includes(language) && notes.has('not run'))
    .map(({ place, notes }) => `${place} ${notes.get('not run')}`)
  expect(reasons.length, reasons.join('\n')).toBeLessThanOrEqual(12)
})
