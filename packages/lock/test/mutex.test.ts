import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { Mutex, tryAcquire } from '../src/index.ts'

describe('a mutex', () => {
  it('runs one action at a time', async () => {
    using directory = temporaryDirectory()
    const mutex = new Mutex(directory.file('mutex'))
    let inside = 0
    const action = async (): Promise<number> => {
      inside++
      await new Promise(setImmediate)
      return inside--
    }
    expect(await Promise.all([1, 2, 3].map(() => mutex.run(action)))).toEqual([1, 1, 1])
  })

  it('is free after an action that throws', async () => {
    using directory = temporaryDirectory()
    const mutex = new Mutex(directory.file('mutex'))
    const failed = mutex.run(() => {
      throw new Error('failed')
    })
    await expect(failed).rejects.toThrow('failed')
    using lock = await mutex.lock()
    expect(await tryAcquire(mutex.path)).toBeNull()
    await expect(mutex.lock({ timeout: 0 })).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' })
    expect(lock.held).toBe(true)
  })

  it('has a path', () => {
    expect(() => new Mutex('')).toThrowError(expect.objectContaining({ code: 'ERR_LOCK_OPTION' }))
  })
})
