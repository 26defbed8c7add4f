import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errno } from '@howdah/durable'
import { isDead, thisProcess } from '../machine/process-identity.ts'

/**
 * A directory beside the place where what is built in it is to appear at once.
 *
 * Its name says which process it belongs to, so that others can sweep up after one that was killed.
 */
export class StagingDirectory implements AsyncDisposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** Makes one in a directory, 0700, after sweeping up those of dead processes. */
  static async create(parent: string): Promise<StagingDirectory> {
    await sweep(parent)
    const path = join(parent, stagingName())
    await mkdir(path, { mode: 0o700 })
    return new StagingDirectory(path)
  }

  /** A path inside. */
  file(...names: string[]): string {
    return join(this.path, ...names)
  }

  /**
   * Makes something inside appear in its place, at once. Says `false`, and leaves it, if something has been put there in
   * the meantime.
   */
  async publish(name: string, target: string): Promise<boolean> {
    try {
      await rename(this.file(name), target)
      return true
    } catch (error) {
      const code = errno(error)
      if (code === 'ENOTEMPTY' || code === 'EEXIST') return false
      throw error
    }
  }

  /** Moves a thing away in here, to be removed with the rest. Says `false` if it was gone already. */
  async bury(path: string): Promise<boolean> {
    try {
      await rename(path, this.file(`${basename(dirname(path))}-${randomUUID()}`))
      return true
    } catch (error) {
      if (errno(error) === 'ENOENT') return false
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 })
  }
}

const prefix = '.staging'

/** Removes what dead processes have left in a directory. What may belong to a living one is left. */
async function sweep(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => [])
  const abandoned = names.filter((name) => name.startsWith(`${prefix}-`) && isAbandoned(name))
  await Promise.all(
    abandoned.map((name) =>
      rm(join(parent, name), { recursive: true, force: true }).catch(() => {}),
    ),
  )
}

function stagingName(): string {
  const { host, boot, namespace, pid, start } = thisProcess()
  return [prefix, host, boot, namespace, pid, start, randomUUID().slice(0, 8)].join('-')
}

/** Whether the process in a name is certainly dead: what cannot be known counts as alive. */
function isAbandoned(name: string): boolean {
  const [host, boot, namespace, pid, start] = name.slice(prefix.length + 1).split('-')
  if (!host || !boot || !namespace || !pid || !start) return false
  return isDead({ host, boot, namespace, pid, start })
}
