/** Compiles when the value has the type. */
export declare function expectType<Type>(value: Type): void;

/** Whether two types are the same, and not only assignable. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Says that something is so. */
export type Is<Claim extends boolean> = Claim;
