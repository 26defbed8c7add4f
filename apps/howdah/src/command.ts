import { main, processIo } from '@howdah/cli'
import manifest from '../package.json' with { type: 'json' }

/** Runs the command line of this process, and sets its exit status. */
export async function run(): Promise<void> {
  // Node has it from 21 on. Without it, the driver asks for what takes Node 20 longer to load than the driver.
  if (!('navigator' in globalThis))
    Object.assign(globalThis, { navigator: { userAgent: `Node.js/${process.versions.node}` } })
  const io = processIo(import.meta.url, manifest.version)
  process.exitCode = await main(process.argv.slice(2), io)
}
