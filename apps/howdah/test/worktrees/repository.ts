import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { answer, Project, type Result, start } from '../project.ts'

/** Whether git is here, without which there are no worktrees to try. */
export const hasGit = ['/usr/bin/git', '/usr/local/bin/git', '/opt/homebrew/bin/git'].some((path) =>
  existsSync(path),
)

/** A repository of git with one commit, whose main checkout is a project of howdah. */
export class Repository extends Project {
  constructor() {
    super()
    this.git('init', '--quiet', '--initial-branch=main')
    this.git('commit', '--quiet', '--allow-empty', '--message=first')
  }

  /** Runs git in the main checkout. */
  git(...args: readonly string[]): string {
    const settings = ['-c', 'user.name=test', '-c', 'user.email=test@localhost']
    const env = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' }
    return execFileSync('git', [...settings, ...args], {
      cwd: this.path,
      env,
      encoding: 'utf8',
      stdio: 'pipe',
    })
  }

  /** Adds a worktree, and tells its path. */
  worktree(name: string): string {
    const path = this.file('.worktrees', name)
    this.git('worktree', 'add', '--quiet', '-b', name, path)
    return path
  }

  /** Runs howdah in a worktree to its end. */
  async in(worktree: string, ...args: readonly string[]): Promise<Result> {
    return await start(worktree, args).result
  }

  /** Runs SQL in a directory, from this process, and tells the only value that comes of it. */
  async ask(directory: string, sql: string): Promise<string> {
    const { status, stdout, stderr } = await answer(directory, ['shell', '-q', '-c', sql])
    if (status !== 0) throw new Error(`${sql}: ${stderr}`)
    return stdout.split('\n')[2]?.trim() ?? ''
  }
}
