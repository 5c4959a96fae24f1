/**
 * Runs every check of the project and ends with a plain line of counts.
 *
 * A step counts as one passed or failed; the last step counts each of its tests. A failed step prints its output and
 * does not keep the next ones from running. With `CI=true` a skipped test is a failure. With `--full` it also runs the tests that take minutes, and those
 * of `createServer` on other versions of Node, and property tests get inputs of their own, whose seed is printed.
 *
 * @module
 */

import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const isCi = process.env['CI'] === 'true'
const isFull = process.argv.includes('--full')

/** Scripts of package.json; each is one check. They run two at a time, after the build: the examples import the package by its name. */
const checks = ['check', 'check:package', 'check:unused', 'docs:build', 'check:security']

/** The package is packed as it was built: no step of npm builds it again while others read it. */
const withoutBuild = { npm_config_ignore_scripts: 'true' }

/**
 * Servers and tools that some tests start, by the package of Debian that has each, and whether its program is there. They are
 * installed where they are missing and this runs as root on Debian; their own services are not used.
 */
const debianPackages = [
  {
    name: 'postgresql',
    isThere: () => foldersIn('/usr/lib/postgresql').some((path) => existsSync(`${path}/bin/initdb`)),
  },
  { name: 'mariadb-server', isThere: () => existsSync('/usr/sbin/mariadbd') },
  { name: 'slapd', isThere: () => existsSync('/usr/sbin/slapd') },
  { name: 'redis-server', isThere: () => existsSync('/usr/bin/redis-server') },
  { name: 'nginx', isThere: () => existsSync('/usr/sbin/nginx') },
  { name: 'chromium', isThere: () => existsSync('/usr/bin/chromium') },
  { name: 'ldap-utils', isThere: () => existsSync('/usr/bin/ldapsearch') },
  { name: 'default-jre-headless', isThere: () => existsSync('/usr/bin/keytool') },
  { name: 'openssl', isThere: () => existsSync('/usr/bin/openssl') },
  { name: 'prometheus', isThere: () => existsSync('/usr/bin/promtool') },
  { name: 'curl', isThere: () => existsSync('/usr/bin/curl') },
]

const counts = { passed: 0, failed: 0, skipped: 0 }
const workFolder = mkdtempSync(join(tmpdir(), 'sallyport-verify-'))
try {
  await count(run('build'))
  const left = checks.values()
  const lane = async () => {
    for (const check of left) await count(run(check, [], withoutBuild))
  }
  await Promise.all([lane(), lane()])
  if (isFull) await count(run('test:nodes'))
  await runTests(await hasServers())
} catch (error) {
  console.error(error)
  counts.failed += 1
} finally {
  rmSync(workFolder, { recursive: true, force: true })
}

process.exitCode = counts.failed === 0 ? 0 : 1
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)

/** Counts a step as passed or failed. */
async function count(step) {
  const { isGood } = await step
  counts[isGood ? 'passed' : 'failed'] += 1
}

/** Whether the servers are there; what is missing is installed where that can be done. */
async function hasServers() {
  const missing = debianPackages.filter(({ isThere }) => !isThere()).map(({ name }) => name)
  if (missing.length === 0) return true
  const install = ['install', '--yes', '--no-install-recommends', ...missing]
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    console.log(`Missing: ${missing.join(', ')}. The tests with real servers are skipped.`)
    return false
  }
  const environment = { DEBIAN_FRONTEND: 'noninteractive' }
  await outputOf('apt-get', ['update'], environment)
  const { exitCode, output } = await outputOf('apt-get', install, environment)
  console.log(`${exitCode === 0 ? 'ok    ' : 'failed'} apt-get install ${missing.join(' ')}`)
  if (exitCode !== 0) console.log(output)
  return exitCode === 0
}

function foldersIn(path) {
  return existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : []
}

/** Runs all tests with coverage, and adds what the runner's report says to the counts. */
async function runTests(withServers) {
  const reportFile = join(workFolder, 'tests.json')
  const options = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]
  const projects = [
    'unit',
    'unit-isolated',
    'package',
    'simulation',
    ...(withServers ? ['servers'] : []),
    ...(withServers && isFull ? ['full'] : []),
  ]
  options.push(...projects.flatMap((name) => ['--project', name]))
  // The floor of the coverage holds for the whole.
  if (!withServers) options.push('--coverage.enabled=false')
  const environment = { NODE_OPTIONS: '--unhandled-rejections=strict' }
  if (isFull) {
    environment.FAST_CHECK_SEED = process.env['FAST_CHECK_SEED'] ?? String(randomInt(2 ** 31))
    console.log(
      `seed of the property tests: ${environment.FAST_CHECK_SEED}; to repeat: FAST_CHECK_SEED=${environment.FAST_CHECK_SEED} npm test`,
    )
  }
  const { isGood, output } = await run('test:all', options, environment)

  const report = readReport(reportFile)
  const { passed, failed } = report
  const skipped = report.skipped + (withServers ? 0 : serverTests().length)
  counts.passed += passed
  counts.failed += failed
  counts.skipped += skipped
  if (isGood && passed + failed === 0) fail('No test has run.')
  // Coverage below its floor, a file that cannot be loaded, an error outside of any test: none is a failed test.
  else if (!isGood && failed === 0) fail('No test has failed, but the run has: see above.')
  if (skipped > 0) {
    if (isGood) console.log(output)
    if (isCi) fail('A skipped test is a failure here.')
  }
}

/** The files of tests that start a server. */
function serverTests() {
  return readdirSync(join(root, 'test'), { recursive: true }).filter((name) => name.endsWith('.server.test.ts'))
}

function fail(reason) {
  console.log(reason)
  counts.failed += 1
}

/** The counts of vitest's JSON report; none when there is no report. */
function readReport(file) {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'))
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests,
      skipped: report.numPendingTests + report.numTodoTests,
    }
  } catch (error) {
    console.log(`The test runner left no report: ${error.message}`)
    return { passed: 0, failed: 0, skipped: 0 }
  }
}

/** Runs a script of package.json; prints one line about it, and its output when it fails. */
async function run(script, options = [], environment = {}) {
  const begin = performance.now()
  const { exitCode, output } = await outputOf('npm', ['run', '--silent', script, '--', ...options], environment)
  const isGood = exitCode === 0
  const seconds = ((performance.now() - begin) / 1000).toFixed(1)
  console.log(`${isGood ? 'ok    ' : 'failed'} ${script} (${seconds} s)`)
  if (!isGood) console.log(output)
  return { isGood, output }
}

/** Runs a command in the project's folder; stdout and stderr are kept together, in order of arrival. */
function outputOf(command, options, environment) {
  return new Promise((resolve) => {
    const child = spawn(command, options, {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const keep = (chunk) => {
      output += chunk
    }
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    child.on('error', (error) => resolve({ exitCode: 1, output: `${output}${error.message}` }))
    child.on('close', (exitCode) => resolve({ exitCode, output }))
  })
}
