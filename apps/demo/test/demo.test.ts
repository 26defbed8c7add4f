import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** Runs the built demo to its end. Its workers, too, run a preload module. */
async function demo(preload: string): Promise<{ status: unknown; stdout: string; stderr: string }> {
  using directory = temporaryDirectory({ prefix: 'howdah-demo-test-' })
  const module = directory.file('preload.mjs')
  writeFileSync(module, preload)
  const env = { ...process.env, NODE_OPTIONS: `--import=${pathToFileURL(module).href}` }
  return await new Promise((resolve) => {
    execFile(process.execPath, [main], { env }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : error.code, stdout, stderr }),
    )
  })
}

test('the demo keeps its promises', async () => {
  const { status, stdout, stderr } = await demo('')
  expect({ status, stderr, stdout }).toMatchObject({ status: 0, stderr: '' })
  expect(stdout.match(/[✔✘]/g)).toEqual(Array(5).fill('✔'))
})

test('a demo that fails says which worker failed, how, and what it said', async () => {
  const { status, stderr } = await demo(
    "if (process.argv[2] === 'ben') { console.error('no elephants here'); process.exit(7) }",
  )
  expect(status).toBe(1)
  expect(stderr).toBe('The demo failed.\n\nben ended with status 7 and said:\nno elephants here\n')
})
