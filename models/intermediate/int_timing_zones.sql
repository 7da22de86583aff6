with

-- The hours of the account's own zone, and those its readers see.
final as (

    select
        account_id,
        timezone
    from {{ ref('int_accounts_live') }}
    union distinct
    select
        account_id,
        timezone
    from {{ ref('int_reader_zones') }}

)

select * from final
