with

readings as (

    select
        cast(account_id as {{ uuid_type() }}) as account_id,
        max(collected_at) as collected_at
    from {{ ref('int_readings') }}
    where not is_archived
    group by account_id
    union all
    select
        account_id,
        max(collected_at) as collected_at
    from {{ ref('stg_twitter__export_posts') }}
    group by account_id
    union all
    select
        account_id,
        last_success_at as collected_at
    from {{ ref('int_accounts_live') }}

),

newest as (

    select
        account_id,
        max(collected_at) as as_of
    from readings
    group by account_id

),

final as (

    select
        accounts.account_id,
        newest.as_of,
        max(newest.as_of) over () as data_as_of
    from {{ ref('int_accounts_live') }} as accounts
    inner join newest on accounts.account_id = newest.account_id

)

select * from final
