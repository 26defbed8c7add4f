/** `exclusive` shuts out everybody else; `shared` only those who want it exclusively. */
export type LockMode = 'exclusive' | 'shared'
