import type { Administrator } from './server/administrator.ts'
import type { Maker } from './server/maker.ts'
import type { TestServer } from './server/test-server.ts'

/** A process's connections to a server, on which it makes databases. */
export interface Workplace {
  readonly server: TestServer
  readonly administrator: Administrator
  readonly maker: Maker
  /** Told what deserves a word. */
  readonly notice: (message: string) => void
  /** In ms: how long to wait for others. */
  readonly timeout: number
}
