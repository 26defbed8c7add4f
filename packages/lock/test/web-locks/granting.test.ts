// @vitest-environment-options { "alone": "web-locks/granting" }
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { LockManager } from '../../src/web-locks/index.ts'
import { locks } from '../support/fresh-locks.ts'
import { holdRequest, type HeldRequest } from '../support/held-request.ts'

const available = async (name: string, mode?: 'shared'): Promise<boolean> =>
  locks.request(name, { mode, ifAvailable: true }, (lock) => lock !== null)

describe('the promise of a request', () => {
  it('gives what the callback gives', async () => {
    expect(await locks.request('name', () => 123)).toBe(123)
    expect(await locks.request('name', async () => 123)).toBe(123)
  })

  it.each([
    [
      'throws',
      () => (reason: unknown) => {
        throw reason
      },
    ],
    [
      'rejects',
      () => async (reason: unknown) => {
        throw reason
      },
    ],
  ])(
    'rejects with the very reason if the callback %s, also if that is a thenable',
    async (_, make) => {
      const fail = make()
      let called = false
      // oxlint-disable unicorn/no-thenable -- that is the point
      for (const reason of [
        { name: 'test' },
        123,
        {
          then: () => {
            called = true
          },
        },
      ]) {
        const outcome = await locks
          .request('name', () => fail(reason))
          .then(
            () => 'resolved',
            (error: unknown) => [error],
          )
        expect((outcome as unknown[])[0] === reason).toBe(true)
      }
      expect(called).toBe(false)
      expect(await available('name')).toBe(true)
    },
  )

  it('settles when the lock is released, and not before', async () => {
    const order: string[] = []
    let release = (): void => {}
    const holding = new Promise<void>((resolve) => {
      release = resolve
    })
    const noted = holding.then(() => order.push('callback'))
    const requested = locks.request('name', async () => holding).then(() => order.push('request'))
    release()
    await Promise.all([requested, noted])
    expect(order).toEqual(['callback', 'request'])
    expect(readdirSync(locks.directory)).toEqual([])
  })

  it('leaves the lock free for the very next request', async () => {
    await locks.request('outer', async () => {
      for (let round = 0; round < 20; round++) {
        await locks.request('inner', () => undefined)
        expect(await available('inner')).toBe(true)
      }
    })
  })
})

describe('a lock that is held', () => {
  it.each(['resolves', 'rejects'])('is held until the promise of the callback %s', async (way) => {
    const order: string[] = []
    let settle = (): void => {}
    const first = locks.request('name', async () => {
      await new Promise<void>((resolve) => {
        settle = resolve
      })
      order.push('settled')
      if (way === 'rejects') throw new Error('as told')
    })
    const second = locks.request('name', () => order.push('second'))
    expect(await available('name')).toBe(false)
    settle()
    await Promise.allSettled([first, second])
    expect(order).toEqual(['settled', 'second'])
  })

  it('keeps its own client away, too', async () => {
    await locks.request('name', async () => {
      expect(await available('name')).toBe(false)
      expect(await available('name', 'shared')).toBe(false)
      expect(await available('other')).toBe(true)
    })
  })

  it('if it is shared, excludes only exclusive requests', async () => {
    await locks.request('name', { mode: 'shared' }, async () => {
      expect(await available('name', 'shared')).toBe(true)
      expect(await available('name')).toBe(false)
      expect(await locks.request('name', { mode: 'shared' }, () => 'both')).toBe('both')
    })
  })

  it('is not available to shared requests while an exclusive one waits', async () => {
    const held = holdRequest(locks, 'name', { mode: 'shared' })
    await held.granted
    const waiting = holdRequest(locks, 'name')
    expect(await available('name', 'shared')).toBe(false)
    await held.release()
    await waiting.granted
    await waiting.release()
    expect(await available('name', 'shared')).toBe(true)
  })
})

describe('ifAvailable', () => {
  it('calls the callback with null, and gives its result', async () => {
    await locks.request('name', async () => {
      const options = { ifAvailable: true }
      expect(await locks.request('name', options, (lock) => [lock])).toEqual([null])
      const error = new Error('as told')
      const fail = async (): Promise<never> => {
        throw error
      }
      await expect(locks.request('name', options, fail)).rejects.toBe(error)
      const failAtOnce = (): never => {
        throw error
      }
      await expect(locks.request('name', options, failAtOnce)).rejects.toBe(error)
    })
  })
})

describe('requests', () => {
  it.each(['exclusive', 'shared'] as const)(
    'that are %s are granted in their order, over all names',
    async (mode) => {
      const granted: number[] = []
      const names = mode === 'shared' ? ['a', 'b', 'c'] : ['a']
      await Promise.all(
        Array.from({ length: 12 }, async (_, index) =>
          locks.request(names[index % names.length]!, { mode }, () => granted.push(index)),
        ),
      )
      expect(granted).toEqual(Array.from({ length: 12 }, (_, index) => index))
    },
  )

  it('for other names do not wait', async () => {
    const granted: string[] = []
    let inner: Promise<unknown> | undefined
    await locks.request('a', async () => {
      const blocked = locks.request('a', () => granted.push('a'))
      await locks.request('b', () => granted.push('b'))
      inner = blocked
    })
    await inner
    expect(granted).toEqual(['b', 'a'])
  })

  it('that are shared are granted together, and exclusive ones in between', async () => {
    const granted: string[] = []
    let unblock = (): void => {}
    const blocked = new Promise<void>((resolve) => {
      unblock = resolve
    })
    const readers = [0, 1, 2].map(async (number) =>
      locks.request('a', { mode: 'shared' }, async () => {
        granted.push(`a${number}`)
        await blocked
      }),
    )
    const writer = locks.request('a', (lock) => {
      granted.push('writer')
      return lock?.mode
    })
    await locks.request('b', () => granted.push('b'))
    expect(granted).toEqual(['a0', 'a1', 'a2', 'b'])
    unblock()
    await Promise.all(readers)
    expect(await writer).toBe('exclusive')
    expect(granted).toEqual(['a0', 'a1', 'a2', 'b', 'writer'])
  })

  it.each([0, 5])(
    'that are shared are all granted after an exclusive one, with %d readers before it',
    async (count) => {
      const modes = (list: readonly { mode: string }[]): string[] => list.map(({ mode }) => mode)
      const shared = (length: number): string[] => Array.from({ length }, () => 'shared')
      const readers = (length: number): HeldRequest[] =>
        Array.from({ length }, () => holdRequest(locks, 'name', { mode: 'shared' }))
      const earlier = readers(count)
      const writer = holdRequest(locks, 'name')
      const later = readers(5)
      const before = await locks.query()
      expect(before.held.length + before.pending.length).toBe(count + 6)
      expect(modes(before.held)).toEqual(count === 0 ? ['exclusive'] : shared(count))
      for (const reader of earlier) await reader.release()
      const during = await locks.query()
      expect([modes(during.held), modes(during.pending)]).toEqual([['exclusive'], shared(5)])
      await writer.release()
      const after = await locks.query()
      expect([modes(after.held), after.pending]).toEqual([shared(5), []])
      for (const reader of later) {
        await reader.granted
        await reader.release()
      }
      expect(readdirSync(locks.directory)).toEqual([])
    },
  )

  it('of a thousand leave nothing, and are all served in their order', async () => {
    const granted: number[] = []
    await Promise.all(
      Array.from({ length: 1_000 }, async (_, index) =>
        locks.request('name', async () => {
          await Promise.resolve()
          granted.push(index)
        }),
      ),
    )
    expect(granted).toEqual(Array.from({ length: 1_000 }, (_, index) => index))
    expect(readdirSync(locks.directory)).toEqual([])
  })

  it('of two managers of a directory exclude each other', async () => {
    const other = new LockManager(locks.directory)
    const held = holdRequest(locks, 'name')
    await held.granted
    const waiting = holdRequest(other, 'name')
    expect(await other.request('name', { ifAvailable: true }, (lock) => lock)).toBeNull()
    const { held: seen, pending } = await other.query()
    expect([seen.length, pending.length]).toEqual([1, 1])
    expect(waiting.isGranted()).toBe(false)
    await held.release()
    await waiting.granted
    await waiting.release()
  })
})
