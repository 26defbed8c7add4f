import { expect, it } from 'vitest'
import { momentAfter, readClocks } from '../src/holding/clocks.ts'
import type { GuardReport } from '../src/command/guard-protocol.ts'
import { Guard } from '../src/command/guarded-command.ts'

it('is ended although the order to end it comes at once after the order to run it', async () => {
  const reports: GuardReport[] = []
  const guard = new Guard((report) => reports.push(report))
  guard.obey({
    type: 'run',
    command: process.execPath,
    args: ['-e', 'setInterval(() => {}, 1000)'],
    cwd: '/',
    env: {},
    stdio: ['ignore', 'ignore', 'ignore'],
    grace: 1_000,
    deadline: momentAfter(readClocks(), 60_000),
  })
  guard.obey({ type: 'end' })
  await guard.finished
  expect(reports.at(-1)).toMatchObject({ type: 'ended', signal: 'SIGTERM' })
})
