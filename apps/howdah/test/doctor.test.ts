import { chmodSync, statSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { answer, Project } from './project.ts'

test('howdah doctor says that nothing is wrong if nothing is, and makes nothing', async () => {
  using empty = temporaryDirectory()
  const missing = await answer(empty.path, ['doctor', '--here'])
  expect(missing).toEqual({ status: 0, stdout: 'nothing is wrong; locks by native\n', stderr: '' })

  await using project = new Project()
  await project.answer(['start', '--quiet'])
  expect((await project.answer(['doctor', '--here'])).stdout).toBe(
    'nothing is wrong; locks by native\n',
  )
  expect(await project.answer(['doctor', '--here', '--fix', '--json'])).toMatchObject({
    status: 0,
    stdout: '[]\n',
  })
})

test('howdah doctor names what is wrong and its cure, and --fix mends it', async () => {
  await using project = new Project()
  await project.answer(['start', '--quiet'])
  await project.answer(['stop', '--quiet'])
  chmodSync(project.dataDir, 0o777)

  const found = await project.howdah(['doctor', '--here'])
  expect(found).toEqual({
    status: 1,
    stdout: `owners and permissions:
  error: ${project.dataDir} has mode 0777: others may do more than a server allows, which refuses to start
    cure: chmod 0750 '${project.dataDir}'
`,
    stderr: 'to have mended: howdah doctor --fix\n',
  })
  const { status, stdout } = await project.answer(['doctor', '--here', '--json'])
  expect({ status, findings: JSON.parse(stdout) }).toMatchObject({
    status: 1,
    findings: [{ check: 'permissions', severity: 'error', fixable: true, fixed: false }],
  })

  const mended = await project.answer(['doctor', '--here', '--fix'])
  expect(mended).toMatchObject({ status: 0, stderr: '' })
  expect(mended.stdout).toMatch(/^ {4}mended\nnothing is wrong; locks by native\n$/m)
  expect(statSync(project.dataDir).mode & 0o777).toBe(0o750)
})

test('howdah doctor finds on the machine what is not here', async () => {
  await using project = new Project()
  await project.answer(['start', '--quiet'])
  const { pid } = JSON.parse((await project.answer(['status', '--json'])).stdout)
  process.kill(pid, 'SIGKILL')
  await project.isQuiet()

  using elsewhere = temporaryDirectory()
  const { status, stdout } = await answer(elsewhere.path, ['doctor', '--json'])
  expect(status).toBe(1)
  // What other tests of this machine leave behind is there, too.
  const findings = JSON.parse(stdout) as { check: string; subject: { path?: string } }[]
  const ours = findings.filter(({ subject }) => subject.path?.startsWith(project.path) === true)
  expect(ours.map(({ check }) => check)).toContain('stale-pid-files')
})

test('howdah doctor removes the templates of new clusters when asked to', async () => {
  await using project = new Project()
  const env = { HOWDAH_CACHE_DIR: project.file('cache') }
  await project.howdah(['start', '--quiet'], { env })
  const clear = async () => await project.howdah(['doctor', '--here', '--clear-templates'], { env })
  expect((await clear()).stderr).toBe('removed 1 template\n')
  expect((await clear()).stderr).toBe('there were no templates\n')
})
