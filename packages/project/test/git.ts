import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'

/** Whether a program is here: those of others who test without it are told so by a skipped test. */
export function isHere(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Runs a program in a directory, without anything of the caller's configuration. */
export function run(cwd: string, program: string, ...args: readonly string[]): string {
  const env = {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    HGRCPATH: '',
    HGUSER: 'test',
  }
  return execFileSync(program, args, { cwd, env, encoding: 'utf8', stdio: 'pipe' })
}

/** Runs git in a directory. */
export function git(cwd: string, ...args: readonly string[]): string {
  const settings = ['user.name=test', 'user.email=test@localhost', 'protocol.file.allow=always']
  return run(cwd, 'git', ...settings.flatMap((setting) => ['-c', setting]), ...args)
}

/** A directory with a repository of one commit in `repository`. */
export function withRepository(): TemporaryDirectory & { readonly repository: string } {
  const directory = temporaryDirectory()
  const repository = directory.file('repository')
  mkdirSync(repository)
  git(repository, 'init', '--quiet', '--initial-branch=main')
  git(repository, 'commit', '--quiet', '--allow-empty', '--message=first')
  return { ...directory, repository }
}

/** Makes a directory, and those above it. */
export function directoryIn(...names: [string, ...string[]]): string {
  const path = join(...names)
  mkdirSync(path, { recursive: true })
  return path
}
