/**
 * One thing that happens in the shop, as SQL. Statements sent as one are one transaction, so that an event in the
 * outbox is there if and only if what it tells of is.
 */
export interface Trade {
  /** How often it happens, relative to the others. */
  readonly weight: number;
  readonly sql: string;
}

const event = (aggregate: string, id: string, type: string, payload: string, from: string): string =>
  `insert into outbox (aggregatetype, aggregateid, type, payload)
   select '${aggregate}', ${id}::text, ${type}, ${payload} from ${from}`;

const orderPlaced: Trade = {
  weight: 9,
  sql: `with wish as (
      select c.id as customer_id, p.id as product_id, p.price, 1 + floor(random() * 3)::int as quantity
      from (select id from customers order by random() limit 1) c,
           (select id, price from products where stock > 3 order by random() limit 1) p
    ), placed as (
      insert into orders (customer_id, product_id, quantity, total)
      select customer_id, product_id, quantity, price * quantity from wish
      returning *
    ), taken as (
      update products set stock = stock - placed.quantity from placed where products.id = placed.product_id
    )
    ${event('order', 'id', `'OrderPlaced'`, `jsonb_build_object('orderId', id, 'customerId', customer_id, 'total', total)`, 'placed')}`,
};

const orderAdvanced: Trade = {
  weight: 14,
  sql: `with moved as (
      update orders set updated_at = now(),
        status = case status when 'placed' then 'paid' when 'paid' then 'shipped' else 'delivered' end
      where id = (select id from orders where status <> 'delivered' order by random() limit 1)
      returning *
    )
    ${event('order', 'id', `'Order' || initcap(status)`, `jsonb_build_object('orderId', id, 'status', status)`, 'moved')}`,
};

const customerRegistered: Trade = {
  weight: 2,
  sql: `with person as (
      insert into customers (name, email, city)
      select first || ' ' || last, lower(first) || floor(random() * 1000)::int || '@example.com', city
      from (select (array['Kim', 'Lena', 'Milo', 'Nora', 'Omar', 'Pia', 'Quinn', 'Rosa', 'Sami', 'Tove'])[1 + floor(random() * 10)::int] as first,
                   (array['Alder', 'Birk', 'Costa', 'Duarte', 'Egger', 'Ferro', 'Gray', 'Holm'])[1 + floor(random() * 8)::int] as last,
                   (array['Oslo', 'Wien', 'Cork', 'Gent', 'Vigo', 'Bern'])[1 + floor(random() * 6)::int] as city) as dice
      returning *
    )
    ${event('customer', 'id', `'CustomerRegistered'`, `jsonb_build_object('customerId', id, 'name', name, 'city', city)`, 'person')}`,
};

const customerMoved: Trade = {
  weight: 2,
  sql: `with person as (
      update customers set city = (array['Oslo', 'Wien', 'Cork', 'Gent', 'Vigo', 'Bern'])[1 + floor(random() * 6)::int]
      where id = (select id from customers order by random() limit 1)
      returning *
    )
    ${event('customer', 'id', `'CustomerMoved'`, `jsonb_build_object('customerId', id, 'city', city)`, 'person')}`,
};

const priceChanged: Trade = {
  weight: 1,
  sql: `update products set price = round(price * (0.95 + random() * 0.1)::numeric, 2)
    where id = (select id from products order by random() limit 1)`,
};

const restocked: Trade = {
  weight: 1,
  sql: `update products set stock = stock + 50 where id = (select id from products order by stock limit 1)`,
};

const orderArchived: Trade = {
  weight: 3,
  sql: `delete from orders where id = (select id from orders where status = 'delivered' order by id limit 1);
    delete from outbox where created_at < now() - interval '1 day'`,
};

const trades: readonly Trade[] = [orderPlaced, orderAdvanced, customerRegistered, customerMoved, priceChanged, restocked, orderArchived];
const totalWeight = trades.reduce((sum, { weight }) => sum + weight, 0);

/** The SQL of the next thing to happen; `dice` gives numbers from 0 to below 1. */
export function nextTrade(dice: () => number = Math.random): string {
  let left = dice() * totalWeight;
  for (const { weight, sql } of trades) {
    left -= weight;
    if (left < 0) return sql;
  }
  return orderPlaced.sql;
}
