import { currentProcess } from '@howdah/lock'
import type { ServerRecord } from '@howdah/coordinate'

/** The record of a server that nothing special is known of: this process. */
export const plainRecord: ServerRecord = {
  process: currentProcess(),
  signal: 'SIGTERM',
  stillness: 0,
  worksHere: false,
  boundTo: null,
  host: null,
  since: null,
  pinned: false,
  perishes: false,
  linger: 0,
  joined: '',
}
