with

collections as (

    select
        account_id,
        max(collected_at) as newest_collected_at
    from {{ ref('int_snapshots_unioned') }}
    group by account_id

),

latest as (

    select
        accounts.account_id,
        case
            when collections.newest_collected_at is null then accounts.last_success_at
            when accounts.last_success_at is null then collections.newest_collected_at
            when accounts.last_success_at > collections.newest_collected_at then accounts.last_success_at
            else collections.newest_collected_at
        end as as_of
    from {{ ref('int_accounts_live') }} as accounts
    left join collections on accounts.account_id = collections.account_id

),

final as (

    select
        account_id,
        as_of,
        max(as_of) over () as data_as_of
    from latest

)

select * from final
