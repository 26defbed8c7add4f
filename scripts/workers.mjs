import { availableParallelism } from 'node:os'

/** How many test files run at a time: more than there are processors, because much of it is waiting for other processes. */
export const workers = availableParallelism() * 2
