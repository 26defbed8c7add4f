import { setPriority } from 'node:os'
import type { Saving } from './save-in-background.ts'
import { saveTemplates } from './save-templates.ts'

/** @internal The work of the process that saves the templates of a server; see `saveInBackground`. `saving` is JSON. */
export async function save(saving: string): Promise<void> {
  // The tests that run meanwhile go first.
  setPriority(10)
  await saveTemplates(JSON.parse(saving) as Saving)
}
