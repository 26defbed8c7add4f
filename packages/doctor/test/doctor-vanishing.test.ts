import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { lookAgain } from '../src/look-again.ts'
import { diagnose } from '../src/index.ts'

const failure = (code: string) => Object.assign(new Error(code), { code })

describe('what vanishes while it is looked at', () => {
  it.each(['ENOENT', 'ESRCH', 'ESTALE'])('is looked at again after %s', async (code) => {
    const errors = [failure(code), new Error('cannot read it', { cause: failure(code) })]
    const look = async () => {
      const error = errors.shift()
      if (error !== undefined) throw error
      return 'nothing'
    }
    expect(await lookAgain(look)).toBe('nothing')
  })

  it('is no excuse for other failures, nor for ever', async () => {
    let looks = 0
    const look = async (code: string) => {
      looks += 1
      throw failure(code)
    }
    await expect(lookAgain(async () => await look('EACCES'))).rejects.toThrow('EACCES')
    expect(looks).toBe(1)
    await expect(lookAgain(async () => await look('ENOENT'))).rejects.toThrow('ENOENT')
    expect(looks).toBe(6)
  })

  it('does not keep doctor from its diagnosis', async () => {
    using home = temporaryDirectory()
    const dataDirs = Array.from({ length: 8 }, (_, index) => home.file(`data${index}`))
    const over = new AbortController()
    const churn = (async () => {
      for (let round = 0; !over.signal.aborted; round += 1) {
        const path = dataDirs[round % dataDirs.length] ?? ''
        mkdirSync(path, { recursive: true })
        writeFileSync(`${path}/PG_VERSION`, '18\n')
        writeFileSync(`${path}/postmaster.pid`, `${2 ** 22 + round}\n${path}\n1\n`)
        await turn()
        rmSync(dataDirs[(round + 4) % dataDirs.length] ?? '', { recursive: true, force: true })
        await turn()
      }
    })()
    try {
      const checks = ['stale-pid-files', 'unfinished-work', 'permissions', 'orphans'] as const
      for (let round = 0; round < 20; round += 1) {
        const findings = await diagnose({ dataDirs, scope: 'clusters', checks })
        expect(findings.filter(({ severity }) => severity === 'unknown')).toEqual([])
      }
    } finally {
      over.abort()
      await churn
    }
  })
})
