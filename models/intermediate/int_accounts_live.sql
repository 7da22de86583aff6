with

accounts as (

    select
        account_id,
        platform,
        account_kind,
        timezone,
        is_proven,
        handle,
        display_name
    from {{ ref('stg_control__accounts') }}
    where merged_into is null

),

connections as (

    select
        account_id,
        min(connected_at) as connected_at,
        max(last_success_at) as last_success_at
    from {{ ref('stg_control__connections') }}
    group by account_id

),

final as (

    select
        accounts.account_id,
        accounts.platform,
        accounts.account_kind,
        accounts.timezone,
        accounts.is_proven,
        accounts.handle,
        accounts.display_name,
        connections.connected_at,
        connections.last_success_at
    from accounts
    left join connections on accounts.account_id = connections.account_id

)

select * from final
