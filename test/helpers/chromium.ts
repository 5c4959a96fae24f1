/** The Chromium of the distribution's package, without a window. */

import { type Browser, chromium } from 'playwright-core'

/** Starts it; `close()` ends it. The sandbox is for other users than root only. */
export function startChromium(): Promise<Browser> {
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: [...args, '--disable-dev-shm-usage'] })
}
