import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { underSeccomp } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { Project, start } from './project.ts'
import { hasGit, Repository } from './worktrees/repository.ts'

const isHere = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)

describe.skipIf(!isHere || process.geteuid?.() !== 0)(
  'in a sandbox that denies system calls, as those of coding agents do (a filter of seccomp: root on Linux)',
  () => {
    const listening = 'to listen on a Unix socket: socket(2), bind(2) or listen(2)'
    test.each([
      ['bind', listening],
      ['listen', listening],
      ['socket', listening],
      ['shmget', 'System V shared memory, shmget(2)'],
    ] as const)('that denies %s says so, and what to allow', async (call, refusal) => {
      await using project = new Project()
      await project.howdah(['exec', '--', 'true'])
      const by = underSeccomp([], [call])
      const { status, stderr } = await start(project.path, ['exec', '--', 'true'], { by }).result
      expect([status, stderr]).toEqual([
        125,
        expect.stringContaining(`howdah: this sandbox denies ${refusal}, without which`),
      ])
      expect(stderr).toContain('network_access = true')
      // Nothing is left of it.
      expect((await project.howdah(['exec', '--', 'true'])).status).toBe(0)
    })

    test.skipIf(!hasGit).each([
      ['bind', listening],
      ['listen', listening],
      ['socket', listening],
      ['shmget', 'System V shared memory, shmget(2)'],
    ] as const)(
      'that denies %s says so before a cluster is made or forked (with git here)',
      async (call, what) => {
        const refusal = `denies ${what}, without which`
        const by = underSeccomp([], [call])
        await using project = new Project()
        const first = await project.howdah(['exec', '--', 'true'], { by })
        expect([first.status, first.stderr]).toEqual([125, expect.stringContaining(refusal)])
        expect(first.stderr).toContain(` on ${project.dataDir}; `)
        expect(existsSync(join(project.dataDir, 'PG_VERSION'))).toBe(false)
        await using repository = new Repository()
        await repository.howdah(['exec', '--', 'true'])
        const worktree = repository.worktree('topic')
        const forking = await start(worktree, ['exec', '--', 'true'], { by }).result
        expect([forking.status, forking.stderr]).toEqual([125, expect.stringContaining(refusal)])
        expect(existsSync(join(worktree, '.howdah/data/PG_VERSION'))).toBe(false)
        expect((await repository.in(worktree, 'exec', '--', 'true')).status).toBe(0)
      },
    )

    test('that denies connect says so of a server that runs outside', async () => {
      await using project = new Project()
      await project.howdah(['start'])
      const by = underSeccomp([], ['connect'])
      const { status, stderr } = await start(project.path, ['exec', '--', 'true'], { by }).result
      expect([status, stderr]).toEqual([
        125,
        expect.stringContaining('this sandbox denies to connect to a Unix socket, connect(2)'),
      ])
    })
  },
)
