/** Packs the package, and installs the tarball into throw-away projects. */

import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const execute = promisify(execFile)

/** The tarball, as `npm pack` made it. */
export interface Tarball {
  readonly path: string
  /** Paths inside the package. */
  readonly files: readonly string[]
}

/** Builds and packs the package into a folder. */
export async function packInto(folder: string): Promise<Tarball> {
  const { stdout } = await execute('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root })
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
  return { path: join(folder, packed.filename), files: packed.files.map(({ path }) => path) }
}

/** The version of a development dependency, so that a throw-away project gets the one that is in the lock file. */
export function versionOf(developmentDependency: string): string {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>
  }
  return manifest.devDependencies[developmentDependency]!.replace(/^npm:.*@/, '')
}

/** An empty project with some packages installed. */
export interface ConsumerProject {
  readonly folder: string
  /** Writes a file; returns its path. */
  write(name: string, text: string): string
  /** Runs a command in the project's folder; rejects unless it ends by itself, with 0, within a minute. */
  run(command: string, args: readonly string[], input?: string): Promise<string>
}

/** Makes a project of a module type in a new folder, and installs packages into it, some of their dependencies at other versions. */
export async function installInto(
  folder: string,
  type: 'module' | 'commonjs',
  packages: readonly string[],
  overrides: Readonly<Record<string, string>> = {},
): Promise<ConsumerProject> {
  mkdirSync(folder)
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  write('package.json', JSON.stringify({ name: 'consumer', version: '0.0.0', private: true, type, overrides }))
  const options = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
  await execute('npm', ['install', ...options, ...packages], { cwd: folder })

  return {
    folder,
    write,
    async run(command, args, input = '') {
      const running = execute(command, [...args], { cwd: folder, timeout: 60_000 })
      running.child.stdin?.end(input)
      return (await running).stdout
    },
  }
}
