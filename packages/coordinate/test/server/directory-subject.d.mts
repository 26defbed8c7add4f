import type { Socket } from 'node:net'
import type { Paths, Subject } from '@howdah/coordinate'

export interface ServerOptions {
  /** ms until it is ready. */
  slowStart?: number
  /** ms until it is gone. */
  slowStop?: number
  /** It reaches its files by the path of its directory. */
  bound?: boolean
  /** Starting it throws after it was launched. */
  fails?: boolean
  env?: Record<string, string>
}

export function pathsOf(directory: string, changes?: Partial<Paths>): Paths
export function subjectIn(directory: string, at?: (step: string) => void): Subject<ServerOptions>
export function connectTo(directory: string): Promise<Socket>
