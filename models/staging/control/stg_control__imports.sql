with

source as (

    select * from {{ source('control', 'imports') }}

),

final as (

    select
        -- ids
        import_id,
        cast(account_id as {{ uuid_type() }}) as account_id,
        file_sha256,

        -- attributes
        format as file_format,
        file_name,

        -- counters
        rows_read,
        rows_landed,
        rows_rejected,

        -- timestamps
        period_start,
        period_end,
        imported_at

    from source

)

select * from final
