-- The shop of the quick start: what a small web shop might keep, and the outbox it tells others by.

create table customers (
  id serial primary key,
  name text not null,
  email text not null,
  city text,
  created_at timestamptz not null default now()
);

create table products (
  id serial primary key,
  sku text not null unique,
  name text not null,
  price numeric(10, 2) not null,
  stock integer not null
);

create table orders (
  id bigint generated always as identity primary key,
  customer_id integer not null references customers,
  product_id integer not null references products,
  quantity integer not null,
  total numeric(10, 2) not null,
  status text not null default 'placed',
  placed_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- Changes then show the whole row as it was before, not its key alone.
alter table customers replica identity full;
alter table products replica identity full;
alter table orders replica identity full;

-- Written in the same transaction as what it tells of; the columns are those Debezium's EventRouter expects.
create table outbox (
  id uuid primary key default gen_random_uuid(),
  aggregatetype text not null,
  aggregateid text not null,
  type text not null,
  payload jsonb not null,
  created_at timestamptz not null default now()
);

insert into customers (name, email, city)
select name, lower(split_part(name, ' ', 1)) || '@example.com', city
from (values
  ('Ada Moor', 'Leeds'), ('Bruno Keller', 'Basel'), ('Chiara Riva', 'Torino'), ('David Okoye', 'Lagos'),
  ('Elif Kaya', 'Izmir'), ('Farid Haddad', 'Tunis'), ('Greta Lund', 'Malmö'), ('Hugo Marin', 'Lyon'),
  ('Inês Prado', 'Porto'), ('Jan Novák', 'Brno')
) as people (name, city);

insert into products (sku, name, price, stock)
values
  ('MUG-01', 'Stoneware mug', 12.50, 200), ('TEA-07', 'Darjeeling, 250 g', 18.90, 150),
  ('KET-02', 'Copper kettle', 79.00, 40), ('FIL-11', 'Paper filters, 100', 4.20, 500),
  ('GRD-03', 'Hand grinder', 54.00, 60), ('SPN-05', 'Measuring spoon', 6.75, 300),
  ('CAN-09', 'Storage tin', 9.95, 180), ('TRY-04', 'Oak tray', 32.40, 75);

insert into orders (customer_id, product_id, quantity, total, status)
select customers.id, products.id, 1 + customers.id % 3, products.price * (1 + customers.id % 3), 'placed'
from customers join products on products.id = 1 + customers.id % 8;

insert into outbox (aggregatetype, aggregateid, type, payload)
select 'order', id::text, 'OrderPlaced', jsonb_build_object('orderId', id, 'customerId', customer_id, 'total', total)
from orders
order by id;
