export declare function assertEquals<T>(actual: T, expected: T, msg?: string): void;
