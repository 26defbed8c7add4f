import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A process that runs a suite; what it prints, and how it ends. */
export function runSuite(
  project: string,
  args: readonly string[],
  more: NodeJS.ProcessEnv,
  { ci = true }: { ci?: boolean } = {},
) {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1', ...more }
  delete env['CI']
  if (ci) env['CI'] = '1'
  // What the runner of this test tells its own workers.
  for (const name of Object.keys(env))
    if (/^(VITEST|TEST|NODE_ENV|NODE_OPTIONS|NODE_TEST|FORCE_COLOR)/.test(name)) delete env[name]
  const child = spawn(process.execPath, args, { cwd: project, env })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const ended = once(child, 'close').then(() => ({ status: child.exitCode, output }))
  return { child, ended }
}
