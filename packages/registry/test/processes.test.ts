import { readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom, times, until } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { Registry, write } from '../src/index.ts'
import { Child } from './support/child.ts'
import { fastDirectory } from './support/fast-directory.ts'

const isLinux = process.platform === 'linux'

/** Suspends a process, and tells whether it holds the lock of a table just then, from proc_locks(5). */
async function holdsWhenStopped(child: Child, table: string): Promise<boolean> {
  const { pid } = child
  child.process.kill('SIGSTOP')
  await until('it is stopped', () => /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')))
  const { ino } = statSync(`${table}.lock`)
  const held = new RegExp(`^\\d+: FLOCK +ADVISORY +WRITE ${pid} \\S+:${ino} `, 'm')
  return held.test(readFileSync('/proc/locks', 'utf8'))
}

describe('two processes that race', () => {
  const rounds = times(50, 500)
  test.each([
    ['name', 'ERR_REGISTRY_DUPLICATE'],
    ['scope', 'ERR_REGISTRY_CONFLICT'],
    ['segment', 'ERR_REGISTRY_SEGMENT_HELD'],
  ])(
    `for one %s, ${rounds} times, have one winner each`,
    async (kind, code) => {
      using directory = fastDirectory()
      const path = directory.file('registry.json')
      await using one = new Child('race', [path, 'one'])
      await using other = new Child('race', [path, 'other'])
      expect([await one.line(), await other.line()]).toEqual(['ready', 'ready'])
      for (let round = 0; round < rounds; round++) {
        const racers = round % 2 === 0 ? [one, other] : [other, one]
        for (const racer of racers) racer.tell(`${kind} ${round}`)
        const verdicts = await Promise.all(racers.map((racer) => racer.line()))
        expect(verdicts.toSorted()).toEqual([code, 'won'])
        for (const racer of racers) racer.tell('release')
        await Promise.all(racers.map((racer) => racer.line()))
      }
      expect(await new Registry({ path }).list()).toEqual([])
    },
    600_000,
  )
})

test(
  'a storm of SIGKILL during saves loses no live allocation, and the table always parses',
  { tags: 'property', timeout: 600_000 },
  async () => {
    using directory = fastDirectory()
    const path = directory.file('registry.json')
    const registry = new Registry({
      path,
      durable: false,
      onRecovery: ({ error }) => {
        throw error
      },
    })
    await registry.register('mine', { allow: [write('/mine')] })
    const random = seededRandom(21)
    let started = 0
    const start = async (): Promise<[string, Child]> => {
      const who = String(started++)
      const child = new Child('churn', [path, who])
      expect(await child.line()).toBe('registered')
      return [who, child]
    }
    const alive = new Map(await Promise.all([start(), start(), start(), start()]))
    try {
      // It goes on until a process was killed while it changed the table, if the system tells that.
      let hits = isLinux ? 0 : 1
      for (let kills = 0; kills < times(8, 100) || hits === 0; kills++) {
        const victim = random.pick([...alive.keys()])
        await sleep(random.below(30))
        if (isLinux && (await holdsWhenStopped(alive.get(victim)!, path))) hits++
        await alive.get(victim)!.kill()
        expect(alive.get(victim)!.errors).toBe('')
        alive.delete(victim)
        expect(JSON.parse(readFileSync(path, 'utf8'))).toHaveProperty('allocations')

        const names = (await registry.list()).map(({ name }) => name)
        expect(names).toEqual(
          expect.arrayContaining(['mine', ...[...alive.keys()].map((who) => `kept-${who}`)]),
        )
        expect(names).not.toContain(`kept-${victim}`)
        alive.set(...(await start()))
      }
    } finally {
      for (const child of alive.values()) await child.kill()
    }
    await registry.reclaimStale()
    expect((await registry.list()).map(({ name }) => name)).toEqual(['mine'])
  },
)
