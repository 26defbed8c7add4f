/**
 * The commands about clusters, and small commands. They are one import, because Node needs longer to load another file than
 * the little code that they do not share. A command with larger dependencies is imported separately: the code for tables, for
 * example, takes longer to load than all of these.
 */
export { createdb } from '../commands/databases/createdb.ts'
export { databases } from '../commands/databases/databases.ts'
export { destroy } from '../commands/destroy.ts'
export { dropdb } from '../commands/databases/dropdb.ts'
export { exec } from '../commands/exec.ts'
export { explainMissing } from '../project/explain-missing.ts'
export { lock } from '../commands/lock.ts'
export { logs } from '../commands/logs.ts'
export { start } from '../commands/start.ts'
export { status } from '../commands/status.ts'
export { stop } from '../commands/stop.ts'
export { superusers } from '../commands/databases/superusers.ts'
export { url } from '../commands/url.ts'
export { withSettings } from '../opening/with-settings.ts'
