/** `'modified'` when a call changed something, `'unmodified'` when it was so already. */
export type State = 'modified' | 'unmodified'
