import { escapeIdentifier } from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import { isState } from '../server/connect.ts'
import { type Connected, connectionsTo } from '../server/database-statements.ts'
import type { Workplace } from '../workplace.ts'
import { unblock } from './unblock.ts'

/** A database is dropped so many ms later, so that this does not delay the first queries of the next test. */
const courtesy = 20
/** After so many ms, the connections to a database that was given back are reported. */
const firstWord = 2000
const longestPause = 1000

/**
 * Drops databases in the background. If a test has left connections to a database, it is dropped when they are closed. They
 * are not ended, because that would fail a pool without listeners, and with it the process. Databases that are left at the
 * end of the process are dropped by the next process.
 */
export class Disposal {
  readonly #place: Workplace
  readonly #pending = new Set<Promise<void>>()
  readonly #waiting: string[] = []
  #later: NodeJS.Timeout | undefined
  #isHurried = false
  #isTold = false

  constructor(place: Workplace) {
    this.#place = place
  }

  add(name: string): void {
    this.#waiting.push(name)
    this.#later ??= setTimeout(() => this.#begin(), courtesy).unref()
  }

  /** Resolves when all databases without connections are dropped. */
  async settle(): Promise<void> {
    this.#isHurried = true
    this.#begin()
    await Promise.all(this.#pending)
  }

  #begin(): void {
    clearTimeout(this.#later)
    this.#later = undefined
    for (const name of this.#waiting.splice(0)) {
      const dropped = this.#drop(name).catch(() => undefined)
      this.#pending.add(dropped)
      void dropped.finally(() => this.#pending.delete(dropped))
    }
  }

  async #drop(name: string): Promise<void> {
    const { administrator, maker } = this.#place
    const started = performance.now()
    for (let pause = 2; !administrator.isLost; pause = Math.min(pause * 2, longestPause)) {
      if (maker.isObstructed) {
        if (this.#isHurried) return
        await sleep(longestPause, undefined, { ref: false })
        continue
      }
      const others = await this.#attempt(name)
      if (others === null) return await administrator.free([name])
      const waited = performance.now() - started
      if (this.#isHurried && waited > firstWord) return
      if (waited > firstWord) this.#tell(name, others)
      await sleep(pause, undefined, { ref: this.#isHurried })
    }
  }

  /** Drops a database. Gives `null`, or the connections that are in the way; none if it takes too long. */
  async #attempt(name: string): Promise<readonly Connected[] | null> {
    const { maker, server } = this.#place
    try {
      const others = await maker.drop(async (client) => {
        const connected = await connectionsTo(client, name)
        if (connected.length > 0) return connected
        await unblock(client, server, name)
        await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)}`)
        return null
      })
      return others === undefined ? [] : others
    } catch (error) {
      // A client has connected meanwhile.
      if (isState(error, '55006'))
        return await maker.run(async (client) => await connectionsTo(client, name))
      throw error
    }
  }

  #tell(name: string, others: readonly { application: string; pid: number }[]): void {
    if (this.#isTold || others.length === 0) return
    this.#isTold = true
    const who = others.map(({ application, pid }) => `${application || 'a client'} (pid ${pid})`)
    this.#place.notice(
      `${name} was given back while somebody is connected to it: ${who.join(', ')}; it is dropped when they have ended: end clients and pools before the test ends`,
    )
  }
}
