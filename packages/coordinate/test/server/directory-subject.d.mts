import type { Socket } from 'node:net'
import type { Place, Subject } from '@howdah/coordinate'

export interface ServerOptions {
  /** ms until it is ready. */
  slowStart?: number
  /** ms until it is gone. */
  slowStop?: number
  /** Starting it throws after it was launched. */
  fails?: boolean
  env?: Record<string, string>
}

export function placeOf(directory: string, changes?: Partial<Place>): Place
export function subjectIn(directory: string, at?: (step: string) => void): Subject<ServerOptions>
export function connectTo(directory: string): Promise<Socket>
