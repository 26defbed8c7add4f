import type pg from 'pg'

/** Methods that `@types/pg` lacks. */
interface Referable {
  ref(): void
  unref(): void
}

/** Lets the process end although this idle connection is open. */
export function letProcessEnd(client: pg.Client): void {
  ;(client as unknown as Referable).unref()
}

/** Keeps the process alive while this connection is used. */
export function holdProcess(client: pg.Client): void {
  ;(client as unknown as Referable).ref()
}
