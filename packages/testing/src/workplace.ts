import type { Administrator } from './server/administrator.ts'
import type { Maker } from './server/maker.ts'
import type { TestServer } from './server/test-server.ts'

/** The connections of a process to a server on which it makes databases. */
export interface Workplace {
  readonly server: TestServer
  readonly administrator: Administrator
  readonly maker: Maker
  /** Called with messages for the user. */
  readonly notice: (message: string) => void
  /** How long to wait for other processes, in ms. */
  readonly timeout: number
}
