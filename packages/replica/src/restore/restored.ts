import type { RestoreResult } from './restore-options.ts'

/** What a database was restored from, before it is checked and published. */
export type Restored = Pick<
  RestoreResult,
  'from' | 'passedOver' | 'timestamp' | 'pageSize' | 'pages' | 'files'
>
