/**
 * Reads the first line of a stream.
 *
 * @module
 */

/** Enough for any line that is taken, and little enough for one that is not. */
const maxBytes = 64 * 1024

const newline = 0x0a

/**
 * The first line without its end (`\n` or `\r\n`); what comes after 64 KiB is not read. `undefined` when it is not UTF-8.
 */
export async function readLine(stream: AsyncIterable<Buffer | string>): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk)
    chunks.push(bytes)
    length += bytes.length
    if (bytes.includes(newline) || length > maxBytes) break
  }
  const bytes = Buffer.concat(chunks)
  const end = bytes.indexOf(newline)
  const line = end === -1 ? bytes : bytes.subarray(0, end)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(line).replace(/\r$/, '')
  } catch {
    return undefined
  }
}
