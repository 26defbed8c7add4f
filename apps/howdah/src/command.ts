import { main, processIo } from '@howdah/cli'
import manifest from '../package.json' with { type: 'json' }

/** Runs the command line of this process, and sets its exit status. */
export async function run(): Promise<void> {
  const io = processIo(import.meta.url, manifest.version)
  process.exitCode = await main(process.argv.slice(2), io)
}
