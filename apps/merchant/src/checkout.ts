import 'reflect-metadata'; // before class-transformer, which needs it
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsEmail,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { SKUS } from './products.js';

export class Item {
  @IsIn(SKUS)
  sku!: string;

  @IsInt()
  @Min(1)
  @Max(99)
  quantity!: number;
}

/** Who pays, and from which account. Travels encrypted; validation sees it in plain. */
export class CardHolder {
  @IsString()
  @Length(1, 140)
  name!: string;

  @Matches(/^\d{8}$/)
  account_number!: string;

  @Matches(/^\d{6}$/)
  sort_code!: string;
}

/** What the shop's front end sends. */
export class Checkout {
  @ValidateNested({ each: true })
  @Type(() => Item)
  @ArrayMinSize(1)
  @ArrayMaxSize(20)
  items!: Item[];

  @IsEmail()
  email!: string;

  @IsObject()
  @ValidateNested()
  @Type(() => CardHolder)
  card_holder!: CardHolder;
}

/** What becomes of it. */
export interface Order extends Checkout {
  readonly id: string;
  readonly amount: number;
  readonly currency: 'GBP';
  readonly state: 'paid';
  /** The bank's own number for the payment. */
  readonly payment: string;
}
