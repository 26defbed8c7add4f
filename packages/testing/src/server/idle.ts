import type pg from 'pg'

/** What `@types/pg` does not know of. */
interface Referable {
  ref(): void
  unref(): void
}

/** An idle connection keeps no process from ending. */
export function letProcessEnd(client: pg.Client): void {
  ;(client as unknown as Referable).unref()
}

/** One that is used does again. */
export function holdProcess(client: pg.Client): void {
  ;(client as unknown as Referable).ref()
}
