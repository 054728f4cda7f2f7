/** What the shop sells. Prices are in pence. */
export const PRODUCTS = [
  { sku: 'tea-earl-grey', name: 'Earl Grey, 250 g', price: 890 },
  { sku: 'tea-sencha', name: 'Sencha, 100 g', price: 1250 },
  { sku: 'pot-cast-iron', name: 'Cast-iron teapot', price: 6400 },
] as const;

export const SKUS: readonly string[] = PRODUCTS.map(({ sku }) => sku);

/** What items cost together. Every one is for sale. */
export function totalOf(items: readonly { readonly sku: string; readonly quantity: number }[]): number {
  const price = new Map<string, number>(PRODUCTS.map((product) => [product.sku, product.price]));
  return items.reduce((sum, { sku, quantity }) => sum + (price.get(sku) ?? 0) * quantity, 0);
}
