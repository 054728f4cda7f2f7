/** The aggregator's origin; the build puts it in place. */
declare const AGGREGATOR_URL: string;
