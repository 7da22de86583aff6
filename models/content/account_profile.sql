with

readings as (

    {%- for platform in platforms() %}
    select
        account_id,
        handle,
        display_name,
        collected_at
    from {{ ref('stg_' ~ platform ~ '__accounts') }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

ranked as (

    select
        *,
        row_number() over (partition by account_id order by collected_at desc) as recency
    from readings

),

final as (

    select
        accounts.account_id,
        coalesce(ranked.handle, accounts.handle) as handle,
        coalesce(ranked.display_name, accounts.display_name) as display_name
    from {{ ref('int_accounts_live') }} as accounts
    left join ranked
        on
            accounts.account_id = ranked.account_id
            and ranked.recency = 1

)

select * from final
