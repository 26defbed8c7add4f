/** The process that saves the templates of a server; see `saveInBackground`. It has nobody who would read its errors. */
import { setPriority } from 'node:os'
import type { Saving } from './save-in-background.ts'
import { saveTemplates } from './save-templates.ts'

// The tests that run meanwhile go first.
setPriority(10)
await saveTemplates(JSON.parse(process.argv[2] ?? '{}') as Saving)
