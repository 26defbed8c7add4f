export declare const tmpfs: number
export declare function hasMemory(): boolean
